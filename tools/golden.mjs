/** `npm run golden [-- --update]`: the golden cases; with --update their IR and SQL are written anew. */
import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const { status } = spawnSync(
  `${root}node_modules/.bin/vitest`,
  ['run', '--project', 'system', 'tests/golden'],
  {
    cwd: root,
    stdio: 'inherit',
    env: { ...process.env, ...(process.argv.includes('--update') ? { GOLDEN_UPDATE: '1' } : {}) },
  },
)
process.exitCode = status ?? 1
