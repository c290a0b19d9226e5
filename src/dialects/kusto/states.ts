export const stateOperators = {} as const
