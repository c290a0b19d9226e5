/**
 * Named steps of the work that must survive a crash between any two of them. Nothing happens at a step in the product;
 * tests listen, and stop the program there.
 */

export type Step =
  | 'events.inserted'
  | 'batches.noted'
  | 'window.claimed'
  | 'window.queried'
  | 'findings.kept'
  | 'outbox.filled'
  | 'windows.noted'
  | 'message.sent'
  | 'message.noted'
  | 'rules.loaded'

/** All steps, in the order in which a window comes to them. */
export const STEPS: readonly Step[] = [
  'rules.loaded',
  'events.inserted',
  'batches.noted',
  'window.claimed',
  'window.queried',
  'findings.kept',
  'outbox.filled',
  'windows.noted',
  'message.sent',
  'message.noted',
]

let listener: ((step: Step) => void) | undefined

/** Calls a function at each step; undefined ends that. For tests. */
export function listenToSteps(given: ((step: Step) => void) | undefined): void {
  listener = given
}

/** The work has come to a step. */
export function step(name: Step): void {
  listener?.(name)
}
