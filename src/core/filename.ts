/** Names of files. */

const PACKED = /\.(?:gz|zst)$/i

function nameOf(file: string): string {
  return (file.split(/[\\/]/).at(-1) ?? '').replace(PACKED, '')
}

/** The name of a file without its folders and endings. */
export function stemOf(file: string): string {
  return nameOf(file).replace(/\.\w{1,8}$/, '')
}

/** The ending of a file's name in lower case, without what packs it; empty when there is none. */
export function endingOf(file: string): string {
  return /\.(\w{1,8})$/.exec(nameOf(file))?.[1]?.toLowerCase() ?? ''
}
