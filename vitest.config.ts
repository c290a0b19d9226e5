import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'unit',
          sequence: { groupOrder: 0 },
          include: ['tests/unit/**/*.test.ts', 'tests/architecture.test.ts', 'tests/docs.test.ts'],
        },
      },
      {
        test: {
          name: 'system',
          sequence: { groupOrder: 1 },
          include: [
            'tests/{ingest,engine,detect,cli,hostile,golden,property,rules,crash}/**/*.test.ts',
          ],
          testTimeout: 120_000,
          hookTimeout: 120_000,
          globalSetup: ['tests/support/build.ts'],
          maxWorkers: 2,
        },
      },
    ],
  },
})
