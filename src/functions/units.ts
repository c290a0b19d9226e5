/** Quantities in other units: how many of one base unit each unit is, by what is measured. */
import { arg, constText, type FunctionRecord, type Parameter } from './record.ts'
import { literal, type Sql, sql } from './sql.ts'

/** A unit: so many of the base unit, from a zero that lies so far from the base unit's own. */
type Unit = number | { readonly scale: number; readonly zero: number }
type Units = Readonly<Record<string, Unit>>

const RADIAN = 180 / Math.PI
const FOOT = 0.3048
const US_FOOT = 1200 / 3937
const POUND = 453.59237
const BTU = 1055.05585262
const POUND_FORCE = 4.4482216152605
const GALLON = 0.003785411784
const THERM = 105_505_585.262

/** Units with prefixes in front, each unit in lower case where the prefix is. */
function prefixed(unit: string, size: number, prefixes: Readonly<Record<string, number>>): Units {
  const lower = unit.charAt(0).toLowerCase() + unit.slice(1)
  return Object.fromEntries(
    Object.entries(prefixes).map(([prefix, factor]) => [
      prefix === '' ? unit : `${prefix}${lower}`,
      size * factor,
    ]),
  )
}

/** Units of a length for each of some times. */
function perTime(
  unit: string,
  size: number,
  times: readonly ('Hour' | 'Minute' | 'Second')[],
): Units {
  const seconds = { Hour: 3600, Minute: 60, Second: 1 }
  return Object.fromEntries(times.map((time) => [`${unit}Per${time}`, size / seconds[time]]))
}

const METRIC = {
  '': 1,
  Nano: 1e-9,
  Micro: 1e-6,
  Milli: 1e-3,
  Centi: 1e-2,
  Deci: 1e-1,
  Deca: 10,
  Hecto: 100,
  Kilo: 1e3,
}
const ALL = ['Hour', 'Minute', 'Second'] as const
const SHORT = ['Minute', 'Second'] as const

const UNITS: Readonly<Record<string, Units>> = {
  angle: {
    ...prefixed('Degree', 1, { '': 1, Milli: 1e-3, Micro: 1e-6, Nano: 1e-9 }),
    ...prefixed('Radian', RADIAN, {
      '': 1,
      Deci: 1e-1,
      Centi: 1e-2,
      Milli: 1e-3,
      Micro: 1e-6,
      Nano: 1e-9,
    }),
    Arcminute: 1 / 60,
    Arcsecond: 1 / 3600,
    Gradian: 0.9,
    NatoMil: 9 / 160,
    Revolution: 360,
  },
  length: {
    ...prefixed('Meter', 1, METRIC),
    ...prefixed('Parsec', 3.08567758128e16, { '': 1, Kilo: 1e3, Mega: 1e6 }),
    ...prefixed('LightYear', 9.46073047258e15, { '': 1, Kilo: 1e3, Mega: 1e6 }),
    Angstrom: 1e-10,
    AstronomicalUnit: 1.495978707e11,
    Chain: 20.1168,
    DataMile: 1828.8,
    DtpPica: FOOT / 72,
    DtpPoint: FOOT / 864,
    Fathom: 1.8288,
    Foot: FOOT,
    Hand: 0.1016,
    Inch: 0.0254,
    Microinch: 2.54e-8,
    Mil: 2.54e-5,
    Mile: 1609.344,
    NauticalMile: 1852,
    PrinterPica: 1 / 237.106301584,
    PrinterPoint: 0.0254 / 72.27,
    Shackle: 27.432,
    SolarRadius: 6.957e8,
    Twip: 0.0254 / 1440,
    UsSurveyFoot: US_FOOT,
    Yard: 0.9144,
  },
  mass: {
    ...prefixed('Gram', 1, METRIC),
    ...prefixed('Tonne', 1e6, { '': 1, Kilo: 1e3, Mega: 1e6 }),
    ...prefixed('Pound', POUND, { '': 1, Kilo: 1e3, Mega: 1e6 }),
    EarthMass: 5.9722e27,
    Grain: POUND / 7000,
    LongHundredweight: POUND * 112,
    LongTon: POUND * 2240,
    Ounce: POUND / 16,
    ShortHundredweight: POUND * 100,
    ShortTon: POUND * 2000,
    Slug: 14593.90294,
    SolarMass: 1.98947e33,
    Stone: POUND * 14,
  },
  speed: {
    ...perTime('Meter', 1, ALL),
    ...perTime('Kilometer', 1e3, ALL),
    ...perTime('Decimeter', 1e-1, SHORT),
    ...perTime('Centimeter', 1e-2, ALL),
    ...perTime('Millimeter', 1e-3, ALL),
    ...perTime('Micrometer', 1e-6, SHORT),
    ...perTime('Nanometer', 1e-9, SHORT),
    ...perTime('Foot', FOOT, ALL),
    ...perTime('Inch', 0.0254, ALL),
    ...perTime('Yard', 0.9144, ALL),
    ...perTime('UsSurveyFoot', US_FOOT, ALL),
    ...perTime('Mile', 1609.344, ['Hour']),
    Knot: 1852 / 3600,
  },
  temperature: {
    Kelvin: 1,
    DegreeCelsius: { scale: 1, zero: 273.15 },
    MillidegreeCelsius: { scale: 1e-3, zero: 273.15 },
    DegreeDelisle: { scale: -2 / 3, zero: 373.15 },
    DegreeFahrenheit: { scale: 5 / 9, zero: (459.67 * 5) / 9 },
    DegreeNewton: { scale: 100 / 33, zero: 273.15 },
    DegreeRankine: 5 / 9,
    DegreeReaumur: { scale: 1.25, zero: 273.15 },
    DegreeRoemer: { scale: 40 / 21, zero: 273.15 - (7.5 * 40) / 21 },
    SolarTemperature: 5778,
  },
  energy: {
    ...prefixed('Joule', 1, { '': 1, Milli: 1e-3, Kilo: 1e3, Mega: 1e6, Giga: 1e9 }),
    ...prefixed('BritishThermalUnit', BTU, { '': 1, Kilo: 1e3, Mega: 1e6, Giga: 1e9 }),
    ...prefixed('Calorie', 4.184, { '': 1, Kilo: 1e3, Mega: 1e6 }),
    ...prefixed('ElectronVolt', 1.602176565e-19, {
      '': 1,
      Kilo: 1e3,
      Mega: 1e6,
      Giga: 1e9,
      Tera: 1e12,
    }),
    ...prefixed('WattHour', 3600, { '': 1, Kilo: 1e3, Mega: 1e6, Giga: 1e9, Tera: 1e12 }),
    ...prefixed('WattDay', 86_400, { '': 1, Kilo: 1e3, Mega: 1e6, Giga: 1e9, Tera: 1e12 }),
    ...prefixed('ThermEc', THERM, { '': 1, Deca: 10 }),
    ...prefixed('ThermImperial', 1.05505585257348e8, { '': 1, Deca: 10 }),
    ...prefixed('ThermUs', 1.054804e8, { '': 1, Deca: 10 }),
    Erg: 1e-7,
    FootPound: 1.355817948,
    HorsepowerHour: 2_684_519.537696173,
  },
  force: {
    ...prefixed('Newton', 1, { '': 1, Micro: 1e-6, Milli: 1e-3, Deca: 10, Kilo: 1e3, Mega: 1e6 }),
    ...prefixed('PoundForce', POUND_FORCE, { '': 1, Kilo: 1e3 }),
    Dyn: 1e-5,
    KilogramForce: 9.80665,
    KiloPond: 9.80665,
    OunceForce: POUND_FORCE / 16,
    Poundal: 0.138254954376,
    ShortTonForce: POUND_FORCE * 2000,
    TonneForce: 9806.65,
  },
  volume: {
    ...prefixed('Liter', 1e-3, { ...METRIC, Mega: 1e6 }),
    ...prefixed('CubicMeter', 1, { '': 1, Hecto: 100, Kilo: 1e3 }),
    ...prefixed('CubicFoot', FOOT ** 3, { '': 1, Hecto: 100, Kilo: 1e3, Mega: 1e6 }),
    ...prefixed('ImperialGallon', 0.00454609, { '': 1, Kilo: 1e3, Mega: 1e6 }),
    ...prefixed('UsGallon', GALLON, {
      '': 1,
      Deci: 0.1,
      Deca: 10,
      Hecto: 100,
      Kilo: 1e3,
      Mega: 1e6,
    }),
    AcreFoot: 1 / 0.000810714,
    AuTablespoon: 2e-5,
    BoardFoot: FOOT ** 3 / 12,
    CubicCentimeter: 1e-6,
    CubicDecimeter: 1e-3,
    CubicHectometer: 1e6,
    CubicInch: 1.6387064e-5,
    CubicKilometer: 1e9,
    CubicMicrometer: 1e-18,
    CubicMile: 1609.344 ** 3,
    CubicMillimeter: 1e-9,
    CubicYard: 0.9144 ** 3,
    ImperialBeerBarrel: 0.16365924,
    ImperialOunce: 2.84130625e-5,
    ImperialPint: 5.6826125e-4,
    MetricCup: 2.5e-4,
    MetricTeaspoon: 5e-6,
    OilBarrel: 0.158987294928,
    UkTablespoon: 1.5e-5,
    UsBeerBarrel: GALLON * 31,
    UsCustomaryCup: GALLON / 16,
    UsLegalCup: 2.4e-4,
    UsOunce: GALLON / 128,
    UsPint: GALLON / 8,
    UsQuart: GALLON / 4,
    UsTablespoon: GALLON / 256,
    UsTeaspoon: GALLON / 768,
  },
}

/** A sine is a unit of its own: the angle that has it. */
const TILT = 'Tilt'

function unit(name: string, kind: string): Unit | undefined {
  const units = UNITS[kind] ?? {}
  return Object.hasOwn(units, name) ? units[name] : undefined
}

function toBase(value: Sql, from: Unit): Sql {
  return typeof from === 'number'
    ? sql`(${value} * ${literal(from)})`
    : sql`(${value} * ${literal(from.scale)} + ${literal(from.zero)})`
}

function ofBase(value: Sql, to: Unit): Sql {
  return typeof to === 'number'
    ? sql`(${value} / ${literal(to)})`
    : sql`((${value} - ${literal(to.zero)}) / ${literal(to.scale)})`
}

const nothing = sql`CAST(NULL AS Nullable(Float64))`

function convert(value: Sql, kind: string, from: string, to: string): Sql {
  const isTilted = kind === 'angle'
  const source = unit(from, kind)
  const target = unit(to, kind)
  const base =
    source !== undefined
      ? toBase(value, source)
      : isTilted && from === TILT
        ? sql`degrees(asin(${value}))`
        : nothing
  if (target !== undefined) return ofBase(base, target)
  return isTilted && to === TILT ? sql`sin(radians(${base}))` : nothing
}

function conversion(
  kind: string,
  examples: readonly (readonly [number | null, string, string, number | null])[],
): FunctionRecord {
  const name = (which: string): Parameter => ({ name: which, type: 'text', constant: true })
  return {
    id: `units.${kind}`,
    says: `A quantity of ${kind} in another unit; missing for a unit that is not known.`,
    takes: [{ name: 'value', type: 'float' }, name('from'), name('to')],
    gives: 'float',
    onNull: 'own',
    spelled: { kusto: [`convert_${kind}`] },
    sql: (args) => convert(arg(args, 0).sql, kind, constText(args, 1), constText(args, 2)),
    examples: examples.map(([value, from, to, gives]) => ({ args: [value, from, to], gives })),
  }
}

export const unitFunctions: readonly FunctionRecord[] = [
  conversion('angle', [
    [180, 'Degree', 'Revolution', 0.5],
    [2, 'Degree', 'Furlong', null],
    [0, 'Tilt', 'Degree', 0],
  ]),
  conversion('length', [
    [1, 'Mile', 'Meter', 1609.344],
    [2, 'Kilometer', 'Meter', 2000],
    [null, 'Foot', 'Inch', null],
  ]),
  conversion('mass', [[2, 'Kilogram', 'Gram', 2000]]),
  conversion('speed', [[2, 'MeterPerSecond', 'CentimeterPerSecond', 200]]),
  conversion('temperature', [[1.2, 'Kelvin', 'DegreeCelsius', -271.95]]),
  conversion('energy', [[2, 'KilowattHour', 'Joule', 7_200_000]]),
  conversion('force', [[1.2, 'Newton', 'Decanewton', 0.12]]),
  conversion('volume', [[2, 'CubicMeter', 'Liter', 2000]]),
]
