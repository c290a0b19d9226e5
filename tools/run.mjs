/**
 * Runs a TypeScript script: `node tools/run.mjs FILE.ts [args]`. The script is bundled to
 * node_modules/.cache/harrier/NAME.mjs and imported; packages stay outside the bundle. To the script, `process.argv` and
 * `import.meta.url` look as if Node had started the TypeScript file itself.
 */
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { basename, resolve } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { build } from 'esbuild'

const root = fileURLToPath(new URL('..', import.meta.url))
const cache = `${root}node_modules/.cache/harrier`

/** Keeps `import.meta.url` of each module pointing at its own source file. */
const ownUrl = {
  name: 'own-url',
  setup(builder) {
    builder.onLoad({ filter: /\.ts$/ }, ({ path }) => ({
      contents: readFileSync(path, 'utf8').replaceAll(
        'import.meta.url',
        JSON.stringify(pathToFileURL(path).href),
      ),
      loader: 'ts',
    }))
  },
}

/** Bundles the script and gives the path of the bundle. */
async function bundle(script) {
  const name = basename(script).replace(/\.ts$/, '')
  const { outputFiles } = await build({
    entryPoints: [script],
    bundle: true,
    write: false,
    packages: 'external',
    platform: 'node',
    format: 'esm',
    target: 'node20',
    sourcemap: 'inline',
    logLevel: 'warning',
    plugins: [ownUrl],
  })
  mkdirSync(cache, { recursive: true })
  // Two runs of one script may overlap: each writes its own file, the last rename wins.
  const part = `${cache}/${name}.${process.pid}.part`
  writeFileSync(part, outputFiles[0].contents)
  renameSync(part, `${cache}/${name}.mjs`)
  return `${cache}/${name}.mjs`
}

const script = process.argv[2]
if (script === undefined || !script.endsWith('.ts')) {
  console.error('usage: node tools/run.mjs FILE.ts [args]')
  process.exitCode = 3
} else {
  const path = resolve(script)
  const file = await bundle(path)
  process.setSourceMapsEnabled(true)
  process.argv = [process.argv[0], path, ...process.argv.slice(3)]
  await import(pathToFileURL(file).href)
}
