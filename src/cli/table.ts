/**
 * Tables of columns for the terminal. Takes raw cells (made safe here, whatever they hold), gives lines that fit the
 * width of the terminal; in a file or a pipe nothing is cut.
 */

import { paint, type Style, type Writer } from './terminal.ts'
import { cut, pad, safeCut, safeText, widthOf } from './text.ts'

export interface Column {
  readonly title: string
  readonly align?: 'left' | 'right'
  /** Narrowest useful width when the column may shrink; without it the column keeps the width of its cells. */
  readonly shrinksTo?: number
  /** Columns with a number are left out on a narrow terminal, the highest number first. */
  readonly dropOrder?: number
}

export interface Styled {
  readonly text: string
  readonly style?: Style
}

export type Cell = string | number | Styled

/** Longest text of a cell that is shown where nothing is cut; the padding of a column stops at `WIDEST`. */
const LONGEST = 4_000
const WIDEST = 60
const GAP = '  '

interface Laid {
  readonly column: Column
  readonly cells: readonly Styled[]
  width: number
}

function styledOf(cell: Cell | undefined, longest: number): Styled {
  if (cell === undefined) return { text: '' }
  if (typeof cell === 'number') return { text: String(cell) }
  if (typeof cell === 'string') return { text: safeCut(cell, longest) }
  return { ...cell, text: safeCut(cell.text, longest) }
}

function total(laid: readonly Laid[]): number {
  return laid.reduce((sum, each) => sum + each.width, GAP.length * Math.max(0, laid.length - 1))
}

function least(laid: readonly Laid[]): number {
  return laid.reduce(
    (sum, each) => sum + Math.min(each.width, each.column.shrinksTo ?? each.width),
    GAP.length * Math.max(0, laid.length - 1),
  )
}

/** Drops optional columns until the rest can fit, then takes width from the widest column that may shrink. */
function fitColumns(all: readonly Laid[], columns: number): readonly Laid[] {
  let laid = all
  while (least(laid) > columns) {
    let worst: Laid | undefined
    for (const each of laid) {
      const order = each.column.dropOrder
      if (order !== undefined && order > (worst?.column.dropOrder ?? -1)) worst = each
    }
    if (worst === undefined) break
    const dropped = worst
    laid = laid.filter((each) => each !== dropped)
  }
  for (let over = total(laid) - columns; over > 0; over = total(laid) - columns) {
    let widest: Laid | undefined
    let second = 0
    for (const each of laid) {
      if (each.width <= (each.column.shrinksTo ?? each.width)) continue
      if (widest === undefined || each.width > widest.width) {
        second = widest?.width ?? 0
        widest = each
      } else second = Math.max(second, each.width)
    }
    if (widest === undefined) break
    const floor = widest.column.shrinksTo ?? 1
    const target = Math.max(
      floor,
      Math.min(widest.width - 1, Math.max(second, widest.width - over)),
    )
    widest.width = target
  }
  return laid
}

function printRow(
  writer: Writer,
  laid: readonly Laid[],
  row: number | undefined,
  columns: number,
): string {
  let text = ''
  let used = 0
  for (const [index, { column, cells, width }] of laid.entries()) {
    const gap = index === 0 ? '' : GAP
    const room = Math.min(columns === Infinity ? LONGEST : width, columns - used - gap.length)
    if (room <= 0) break
    const cell = row === undefined ? { text: column.title, style: 'dim' as const } : cells[row]
    const isLast = index === laid.length - 1
    const shown = cut(cell?.text ?? '', room)
    const blanks = pad(shown, Math.min(width, room), column.align).length - shown.length
    const fill = ' '.repeat(Math.max(0, blanks))
    const painted = paint(writer, cell?.style, shown)
    const isLeft = column.align !== 'right'
    text += gap + (isLeft ? painted + (isLast ? '' : fill) : fill + painted)
    used += gap.length + Math.max(widthOf(shown), Math.min(width, room))
  }
  return `${text}\n`
}

/** The lines of a table, each with its line feed. Rows shorter than the columns are filled with empty cells. */
export function renderTable(
  writer: Writer,
  columns: readonly Column[],
  rows: readonly (readonly Cell[])[],
): string {
  const screen = writer.columns()
  const longest = screen === Infinity ? LONGEST : screen
  const all = columns.map((column, index): Laid => {
    const cells = rows.map((row) => styledOf(row[index], longest))
    let width = widthOf(safeText(column.title))
    for (const cell of cells) {
      width = Math.max(width, Math.min(widthOf(cell.text), screen === Infinity ? WIDEST : screen))
    }
    return { column, cells, width }
  })
  const laid = screen === Infinity ? all : fitColumns(all, screen)
  let text = printRow(writer, laid, undefined, screen)
  for (let row = 0; row < rows.length; row++) text += printRow(writer, laid, row, screen)
  return text
}
