/**
 * OTLP bytes -> typed tables, strictly: every index in range, every rule of a sample held, every error with its field.
 *
 * Pure: unpacking gzip is the caller's, and so is the choice of what to do about one bad profile among good ones:
 * `parseRequest` reads without looking at references, and references.ts says what is wrong with which profile.
 */
import { LIMITS } from '../model/limits.ts'
import { WireReader } from '../protobuf/reader.ts'
import { emptyResource, emptyScope, RESOURCE, SCOPE } from './decode-attributes.ts'
import { type Draft, type Fields, many, one, readFields, text, within } from './decode-fields.ts'
import { emptyProfile, finishProfile, PROFILE, type ProfileDraft } from './decode-profile.ts'
import { DICTIONARY, type DictionaryDraft, emptyDictionary, finishDictionary } from './decode-tables.ts'
import { Budget, damaged, tooMany } from './faults.ts'
import type { ProfilesData, ResourceProfiles, ScopeProfiles } from './model.ts'
import { checkReferences } from './references.ts'

/** How many times the memory of a table entry a profile takes, had it but one empty sample. */
const PROFILE_WEIGHT = 32

type ScopeDraft = Draft<Omit<ScopeProfiles, 'profiles'>> & { profiles: readonly ProfileDraft[] }
type ResourceDraft = Draft<Omit<ResourceProfiles, 'scopeProfiles'>> & { scopeProfiles: readonly ScopeDraft[] }

interface DataDraft {
  resourceProfiles: readonly ResourceDraft[]
  dictionary: DictionaryDraft | null
}

const SCOPE_PROFILES: Fields<ScopeDraft> = {
  1: one('scope', emptyScope, SCOPE),
  2: many('profiles', emptyProfile, PROFILE, PROFILE_WEIGHT),
  3: text('schemaUrl'),
}

const RESOURCE_PROFILES: Fields<ResourceDraft> = {
  1: one('resource', emptyResource, RESOURCE),
  2: many('scopeProfiles', (): ScopeDraft => ({ scope: null, profiles: [], schemaUrl: '' }), SCOPE_PROFILES),
  3: text('schemaUrl'),
}

const DATA: Fields<DataDraft> = {
  1: many(
    'resourceProfiles',
    (): ResourceDraft => ({ resource: null, scopeProfiles: [], schemaUrl: '' }),
    RESOURCE_PROFILES,
  ),
  2: (data, input) => {
    const dictionary = data.dictionary ?? emptyDictionary()
    data.dictionary = dictionary
    within(input, 'dictionary', () => readFields(dictionary, input, DICTIONARY))
  },
}

/**
 * An ExportProfilesServiceRequest or a ProfilesData.
 *
 * Errors: AgentError input_invalid: `the OTLP profile is damaged at byte n: …` when it breaks off, `… is damaged:
 * resource_profiles[0].….stack_index is 7, the table has 3 entries` when it breaks a rule, `cannot read …` when it is of an
 * older proto (P-01) or passes one of our limits.
 */
export function decodeRequest(bytes: Uint8Array): ProfilesData {
  const data = parseRequest(bytes)
  checkReferences(data)
  return data
}

/** The same without a look at indices and rules. */
export function parseRequest(bytes: Uint8Array): ProfilesData {
  if (bytes.length > LIMITS.pprofBytes) tooMany(`it has ${bytes.length} bytes`, LIMITS.pprofBytes)
  const input = { reader: new WireReader(bytes, damaged), budget: new Budget(), depth: 0 }
  const draft = readFields<DataDraft>({ resourceProfiles: [], dictionary: null }, input, DATA)
  return {
    resourceProfiles: draft.resourceProfiles.map((resource) => ({
      ...resource,
      scopeProfiles: resource.scopeProfiles.map((scope) => ({
        ...scope,
        profiles: scope.profiles.map(finishProfile),
      })),
    })),
    dictionary: draft.dictionary && finishDictionary(draft.dictionary),
  }
}
