import type { Call, SecretCall, Snippet } from './call.ts';
import { curlSnippet } from './curl.ts';
import { goSnippet } from './go.ts';
import { javaSnippet } from './java.ts';
import { pythonSnippet } from './python.ts';
import { typescriptSnippet } from './typescript.ts';

export const LANGUAGES = ['curl', 'typescript', 'python', 'go', 'java'] as const;
export type Language = (typeof LANGUAGES)[number];

const FOR_EVERY_PROOF = { curl: curlSnippet, typescript: typescriptSnippet } as const;
const FOR_SECRETS: Readonly<Record<Language, (call: SecretCall) => Snippet>> = {
  ...FOR_EVERY_PROOF,
  python: pythonSnippet,
  go: goSnippet,
  java: javaSnippet,
};

/** The languages in which a call with this proof is printed. */
export function languagesFor(by: Call['proof']['by']): readonly Language[] {
  return by === 'secret' ? LANGUAGES : (Object.keys(FOR_EVERY_PROOF) as (keyof typeof FOR_EVERY_PROOF)[]);
}

/** The same call in each language asked for, and that there is for its proof. */
export function snippetsOf(call: Call, languages: readonly Language[]): readonly Snippet[] {
  const makers: Readonly<Partial<Record<Language, (call: SecretCall) => Snippet>>> =
    call.proof.by === 'secret' ? FOR_SECRETS : (FOR_EVERY_PROOF as never);
  return languages.flatMap((language) => makers[language]?.(call as SecretCall) ?? []);
}
