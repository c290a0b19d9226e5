/** Bundles the command line, the engine child, the decoding worker and the Kusto front end into dist/. */
import { existsSync, renameSync, rmSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

const root = fileURLToPath(new URL('..', import.meta.url))

/** Builds everything beside and swaps it in, so that a running program never sees half a build. */
export async function buildAll() {
  const fresh = `${root}dist.new-${process.pid}`
  const old = `${root}dist.old-${process.pid}`
  await build({
    absWorkingDir: root,
    entryPoints: {
      harrier: 'src/cli/main.ts',
      'engine-child': 'src/engine/child.ts',
      'ingest-worker': 'src/ingest/worker.ts',
    },
    outdir: fresh,
    bundle: true,
    splitting: true,
    packages: 'external',
    platform: 'node',
    format: 'esm',
    target: 'node20',
    sourcemap: true,
    logLevel: 'warning',
  })
  // One file without packages: a start-up snapshot of Node is made from nothing else.
  await build({
    absWorkingDir: root,
    entryPoints: { 'kusto-front': 'src/rules/kustochild.ts' },
    outdir: fresh,
    outExtension: { '.js': '.cjs' },
    bundle: true,
    platform: 'node',
    format: 'cjs',
    target: 'node20',
    logLevel: 'warning',
  })
  if (existsSync(`${root}dist`)) renameSync(`${root}dist`, old)
  renameSync(fresh, `${root}dist`)
  rmSync(old, { recursive: true, force: true })
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await buildAll()
