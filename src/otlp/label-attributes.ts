/**
 * Labels of a sample -> its attributes and its link.
 *
 * Keys are unique in a set of attributes (P-05), labels are not: those of one key become one array. A trace id and a
 * span id in lower-case hex are a Link. A key that is empty, which receivers refuse (P-06), is written as '_'.
 */
import type { Attributes } from '../model/attributes.ts'
import type { Label, Profile } from '../model/profile.ts'
import type { Steps } from '../model/steps.ts'
import type { AttributeTable } from './attribute-table.ts'
import { type ContentTables, LINK } from './content.ts'
import {
  ATTRIBUTE_OF_LABEL,
  PPROF,
  PROCESS_LABELS,
  PROCESS_PID,
  SPAN_ID_LABEL,
  TRACE_ID_LABEL,
} from './keys.ts'
import type { WritableValue } from './write-value.ts'

/** By label set of the profile: id of its set of attributes, and of its link (0 for none). */
export interface LabelColumns {
  readonly attributes: Int32Array
  readonly link: Int32Array
}

const SETS_A_STEP = 64

/** `resourceOf` gives the resource of a label set: what that says is left out of the samples. */
export function* labelColumns(
  tables: ContentTables,
  resourceOf: (labelSet: number) => Attributes,
): Steps<LabelColumns> {
  const { labelSets } = tables.profile
  const attributes = new Int32Array(labelSets.length)
  const link = new Int32Array(labelSets.length)
  for (const [index, labels] of labelSets.entries()) {
    if (index % SETS_A_STEP === 0) yield
    const isOwn = tables.fidelity === 'conventions'
    const named = isOwn ? conventional(labels, PROCESS_PID in resourceOf(index)) : labels
    link[index] = linkOf(tables, named)
    const rest = link[index] === 0 ? named : named.filter(({ key }) => !isLinkKey(key))
    attributes[index] = tables.attributes.set(attributesOf(tables.attributes, rest))
  }
  return { attributes, link }
}

function conventional(labels: readonly Label[], isResourceTheProcess: boolean): Label[] {
  return labels
    .filter(({ key }) => !(isResourceTheProcess && PROCESS_LABELS.has(key)))
    .map((label) => ({ ...label, key: ATTRIBUTE_OF_LABEL.get(label.key) ?? label.key }))
}

function isLinkKey(key: string): boolean {
  return key === TRACE_ID_LABEL || key === SPAN_ID_LABEL
}

function linkOf({ links }: ContentTables, labels: readonly Label[]): number {
  const found = labels.filter(({ key }) => isLinkKey(key))
  const trace = found.find(({ key }) => key === TRACE_ID_LABEL)?.str ?? ''
  const span = found.find(({ key }) => key === SPAN_ID_LABEL)?.str ?? ''
  const isLink = found.length === 2 && found.every(({ num, unit }) => num === undefined && unit === undefined)
  if (!isLink || !isId(trace, 32) || !isId(span, 16)) return 0
  const words = new Int32Array(LINK.size)
  for (const [i] of words.entries()) words[i] = Number.parseInt(`${trace}${span}`.slice(8 * i, 8 * i + 8), 16)
  return links.intern(words, LINK.size)
}

function isId(text: string, digits: number): boolean {
  return text.length === digits && /^[0-9a-f]+$/.test(text) && !/^0+$/.test(text)
}

function attributesOf(table: AttributeTable, labels: readonly Label[]): number[] {
  const groups = new Map<string, Label[]>()
  for (const label of labels) {
    // By the text as it will be written, so that UTF-8 makes no two keys equal afterwards.
    const key = table.texts.texts[table.texts.id(label.key)]! || '_'
    const group = groups.get(key)
    if (group) group.push(label)
    else groups.set(key, [label])
  }
  return [...groups].map(([key, group]) => {
    const values = group.flatMap(valuesOf)
    const units = new Set(group.map(({ unit }) => unit ?? ''))
    if (units.size > 1) return table.attribute(key, withUnits(group))
    return table.attribute(key, values.length === 1 ? values[0]! : values, group[0]!.unit ?? '')
  })
}

/** A label has a text, a number, or both; one without either is the empty text. */
function valuesOf({ str, num }: Label): WritableValue[] {
  const texts: WritableValue[] = str === undefined ? [] : [str]
  if (num === undefined) return texts.length > 0 ? texts : ['']
  return [...texts, typeof num === 'bigint' ? BigInt.asIntN(64, num) : num]
}

/** Numbers of one key in different units: pairs of value and unit, as no field holds several units. */
function withUnits(group: readonly Label[]): WritableValue {
  return group.flatMap((label) => valuesOf(label).map((value) => [value, label.unit ?? '']))
}

/** Fields of the profile that OTLP has as attributes of it, as a set; 0 for none. */
export function profileAttributes({ attributes, profile }: ContentTables): number {
  const ids: number[] = []
  const add = (key: string, value: WritableValue) => ids.push(attributes.attribute(key, value))
  if (profile.dropFrames !== '') add(PPROF.dropFrames, profile.dropFrames)
  if (profile.keepFrames !== '') add(PPROF.keepFrames, profile.keepFrames)
  if (profile.docUrl !== '') add(PPROF.docUrl, profile.docUrl)
  if (profile.comments.length > 0) add(PPROF.comment, profile.comments)
  return attributes.set(ids)
}

/** What pprof says of the order and the default of its sample types: attributes of the scope. */
export function scopeAttributes(profile: Profile): Readonly<Record<string, WritableValue>> {
  const { declaredDefaultType, sampleTypes, defaultSampleType } = profile
  return {
    [PPROF.defaultSampleType]: declaredDefaultType ?? sampleTypes[defaultSampleType]?.type ?? '',
    [PPROF.sampleTypeOrder]: sampleTypes.map((_, index) => index),
  }
}
