export const seriesOperators = {} as const
