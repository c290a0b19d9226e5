/** Numbers in order, in buckets of bounded size, so that one more or less moves only a few others. */

const MOST = 512

export class SortedNumbers {
  readonly #buckets: number[][] = []
  size = 0

  /** The first bucket whose last number is not below a value, or the last bucket. */
  #bucketFor(value: number): number {
    let low = 0
    let high = this.#buckets.length - 1
    while (low < high) {
      const middle = (low + high) >> 1
      if ((this.#buckets[middle]?.at(-1) ?? 0) < value) low = middle + 1
      else high = middle
    }
    return low
  }

  add(value: number): void {
    this.size++
    const at = this.#bucketFor(value)
    const bucket = this.#buckets[at]
    if (bucket === undefined) {
      this.#buckets.push([value])
      return
    }
    bucket.splice(placeIn(bucket, value), 0, value)
    if (bucket.length > MOST) this.#buckets.splice(at + 1, 0, bucket.splice(MOST / 2))
  }

  /** Takes out one that is there. */
  remove(value: number): void {
    const at = this.#bucketFor(value)
    const bucket = this.#buckets[at]
    const place = bucket === undefined ? 0 : placeIn(bucket, value)
    if (bucket === undefined || bucket[place] !== value) return
    this.size--
    bucket.splice(place, 1)
    if (bucket.length === 0) this.#buckets.splice(at, 1)
  }

  /** The number at a place in the order, from 0. */
  at(place: number): number {
    let before = 0
    for (const bucket of this.#buckets) {
      const found = bucket[place - before]
      if (found !== undefined) return found
      before += bucket.length
    }
    return Number.NaN
  }
}

/** Where a value stands, or would stand, in a bucket. */
function placeIn(bucket: readonly number[], value: number): number {
  let low = 0
  let high = bucket.length
  while (low < high) {
    const middle = (low + high) >> 1
    if ((bucket[middle] ?? 0) < value) low = middle + 1
    else high = middle
  }
  return low
}
