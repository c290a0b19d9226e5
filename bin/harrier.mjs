#!/usr/bin/env node
/** Starts the built program; in a checkout it is built first when the source is newer. */
import { existsSync, readdirSync, statSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const root = new URL('..', import.meta.url)
const built = new URL('dist/harrier.js', root)

/** Time of the newest file below a folder. */
function newest(folder) {
  let latest = 0
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = `${folder}/${entry.name}`
    latest = Math.max(latest, entry.isDirectory() ? newest(path) : statSync(path).mtimeMs)
  }
  return latest
}

const source = fileURLToPath(new URL('src', root))
if (existsSync(source) && (!existsSync(built) || statSync(built).mtimeMs < newest(source))) {
  const { buildAll } = await import(new URL('tools/build.mjs', root).href)
  await buildAll()
}
await import(built.href)
