export const parseOperators = {} as const
