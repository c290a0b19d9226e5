export const evaluateOperators = {} as const
