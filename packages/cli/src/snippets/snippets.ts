import type { Call, SecretCall, Snippet } from './call.ts';
import { curlSnippet } from './curl.ts';
import { goSnippet } from './go.ts';
import { javaSnippet } from './java.ts';
import { pythonSnippet } from './python.ts';
import { typescriptSnippet } from './typescript.ts';

export const LANGUAGES = ['curl', 'typescript', 'python', 'go', 'java'] as const;
export type Language = (typeof LANGUAGES)[number];

const FOR_EVERY_PROOF = { curl: curlSnippet, typescript: typescriptSnippet } as const;
const FOR_SECRETS = { python: pythonSnippet, go: goSnippet, java: javaSnippet } as const;

/** The languages in which a call with this proof is printed. */
export function languagesFor(by: Call['proof']['by']): readonly Language[] {
  return by === 'secret' ? LANGUAGES : LANGUAGES.filter((language) => language in FOR_EVERY_PROOF);
}

/** The same call in each language asked for, and that there is for its proof. */
export function snippetsOf(call: Call, languages: readonly Language[]): readonly Snippet[] {
  return languages.flatMap((language) => {
    if (language === 'curl' || language === 'typescript') return FOR_EVERY_PROOF[language](call);
    return isBySecret(call) ? FOR_SECRETS[language](call) : [];
  });
}

function isBySecret(call: Call): call is SecretCall {
  return call.proof.by === 'secret';
}
