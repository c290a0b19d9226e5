/** `npm run docs`: writes the generated pages of the manual. */
import { writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { pages } from './docs.ts'

for (const [path, make] of pages) {
  writeFileSync(fileURLToPath(new URL(`../${path}`, import.meta.url)), make())
  console.log(path)
}
