/** All function records, by id. */

import { addressFunctions } from './addresses.ts'
import { aggregateFunctions } from './aggregate.ts'
import { arithmeticFunctions } from './arithmetic.ts'
import { arrayFunctions } from './arrays.ts'
import { axisFunctions } from './axis.ts'
import { bagFunctions } from './bags.ts'
import { betaFunctions } from './beta.ts'
import { binFunctions } from './bins.ts'
import { byteFunctions } from './bytes.ts'
import { castFunctions } from './casts.ts'
import { choiceFunctions } from './choice.ts'
import { choosingFunctions } from './choosing.ts'
import { collectFunctions } from './collect.ts'
import { compareFunctions } from './compare.ts'
import { convertFunctions } from './convert.ts'
import { derivedFunctions } from './derived.ts'
import { digestFunctions } from './digests.ts'
import { dynamicFunctions } from './dynamic.ts'
import { elementFunctions } from './elements.ts'
import { encodingFunctions } from './encodings.ts'
import { evalCheckFunctions } from './evalcheck.ts'
import { evalCompareFunctions } from './evalcompare.ts'
import { evalJsonFunctions } from './evaljson.ts'
import { evalNumberFunctions } from './evalnumber.ts'
import { evalOperatorFunctions } from './evaloperator.ts'
import { evalTextFunctions } from './evaltext.ts'
import { evalTimeFunctions } from './evaltime.ts'
import { evalValueFunctions } from './evalvalue.ts'
import { eventFunctions } from './events.ts'
import { extractionFunctions } from './extraction.ts'
import { fitFunctions } from './fits.ts'
import { foldFunctions } from './fold.ts'
import { hashFunctions } from './hashing.ts'
import { listFunctions } from './lists.ts'
import { localFunctions } from './local.ts'
import { lookupFunctions } from './lookups.ts'
import { matchFunctions } from './match.ts'
import { momentFunctions } from './moments.ts'
import { multivalueFunctions } from './multivalue.ts'
import { changeFunctions } from './mvchange.ts'
import { networkFunctions } from './network.ts'
import { numberFunctions } from './numbers.ts'
import { parsingFunctions } from './parsing.ts'
import type { FunctionRecord } from './record.ts'
import { rexFunctions } from './rex.ts'
import { rowJsonFunctions } from './rowjson.ts'
import { rowKeyFunctions } from './rowkeys.ts'
import { rowNumberFunctions } from './rownumbers.ts'
import { rowTextFunctions } from './rowtexts.ts'
import { schemaFunctions } from './schemas.ts'
import { searchingFunctions } from './searching.ts'
import { seasonFunctions } from './seasons.ts'
import { seriesFunctions } from './series.ts'
import { setFunctions } from './sets.ts'
import { shapeFunctions } from './shape.ts'
import { spanFunctions } from './spans.ts'
import { spathFunctions } from './spath.ts'
import { spreadFunctions } from './spread.ts'
import { statisticsFunctions } from './statistics.ts'
import { statsNumberFunctions } from './statsnumbers.ts'
import { statsValueFunctions } from './statsvalues.ts'
import { stringFunctions } from './strings.ts'
import { termFunctions } from './terms.ts'
import { timeBucketFunctions } from './timebuckets.ts'
import { timeFormatFunctions } from './timeformat.ts'
import { transactionFunctions } from './transactions.ts'
import { unitFunctions } from './units.ts'
import { unpackFunctions } from './unpack.ts'
import { userAgentFunctions } from './useragent.ts'
import { valueFunctions } from './value.ts'
import { windowFunctions } from './window.ts'
import { xmlFunctions } from './xml.ts'

/** The records by id; two of one id would hide each other. */
function byId(records: readonly FunctionRecord[]): ReadonlyMap<string, FunctionRecord> {
  const made = new Map(records.map((record) => [record.id, record]))
  if (made.size !== records.length) throw new RangeError('two functions have one id')
  return made
}

export const functions: ReadonlyMap<string, FunctionRecord> = byId([
  ...matchFunctions,
  ...castFunctions,
  ...arithmeticFunctions,
  ...compareFunctions,
  ...localFunctions,
  ...momentFunctions,
  ...numberFunctions,
  ...betaFunctions,
  ...binFunctions,
  ...byteFunctions,
  ...spanFunctions,
  ...unitFunctions,
  ...choiceFunctions,
  ...valueFunctions,
  ...derivedFunctions,
  ...dynamicFunctions,
  ...setFunctions,
  ...seriesFunctions,
  ...fitFunctions,
  ...seasonFunctions,
  ...bagFunctions,
  ...arrayFunctions,
  ...termFunctions,
  ...stringFunctions,
  ...extractionFunctions,
  ...networkFunctions,
  ...addressFunctions,
  ...encodingFunctions,
  ...hashFunctions,
  ...parsingFunctions,
  ...xmlFunctions,
  ...userAgentFunctions,
  ...aggregateFunctions,
  ...collectFunctions,
  ...statisticsFunctions,
  ...statsValueFunctions,
  ...statsNumberFunctions,
  ...digestFunctions,
  ...schemaFunctions,
  ...windowFunctions,
  ...listFunctions,
  ...shapeFunctions,
  ...unpackFunctions,
  ...axisFunctions,
  ...foldFunctions,
  ...evalValueFunctions,
  ...evalOperatorFunctions,
  ...evalCompareFunctions,
  ...evalTextFunctions,
  ...multivalueFunctions,
  ...evalJsonFunctions,
  ...spathFunctions,
  ...evalTimeFunctions,
  ...timeFormatFunctions,
  ...evalCheckFunctions,
  ...evalNumberFunctions,
  ...searchingFunctions,
  ...eventFunctions,
  ...choosingFunctions,
  ...elementFunctions,
  ...rowTextFunctions,
  ...rowNumberFunctions,
  ...rowKeyFunctions,
  ...rexFunctions,
  ...changeFunctions,
  ...convertFunctions,
  ...rowJsonFunctions,
  ...spreadFunctions,
  ...timeBucketFunctions,
  ...transactionFunctions,
  ...lookupFunctions,
])

/** The record of an id; an unknown id is a programming error, refused by the checker before it gets here. */
export function functionOf(id: string): FunctionRecord {
  const record = functions.get(id)
  if (record === undefined) throw new RangeError(`no function ${id}`)
  return record
}

type Language = keyof NonNullable<FunctionRecord['spelled']>
type Spellings = ReadonlyMap<string, FunctionRecord>
const bySpelling = new Map<Language, { readonly all: Spellings; readonly aggregates: Spellings }>()

function spellingsOf(language: Language): {
  readonly all: Spellings
  readonly aggregates: Spellings
} {
  const known = bySpelling.get(language)
  if (known !== undefined) return known
  const named = (records: readonly FunctionRecord[]): Spellings =>
    new Map(
      records.flatMap((record) =>
        (record.spelled?.[language] ?? []).map((name) => [name.toLowerCase(), record] as const),
      ),
    )
  const aggregates = [...functions.values()].filter((record) => record.aggregate)
  const others = [...functions.values()].filter((record) => !record.aggregate)
  const made = { all: named([...aggregates, ...others]), aggregates: named(aggregates) }
  bySpelling.set(language, made)
  return made
}

/** The records that a language spells, by their spelling in lower case; of two that share one, the one of values. */
export function functionsSpelled(language: Language): Spellings {
  return spellingsOf(language).all
}

/** The aggregates that a language spells, by their spelling in lower case. */
export function aggregatesSpelled(language: Language): Spellings {
  return spellingsOf(language).aggregates
}
