import type { Call, SecretCall, Snippet } from './call.ts';
import { curlSnippet } from './curl.ts';
import { deviceCurlSnippet, deviceScriptSnippet } from './device.ts';
import { goSnippet } from './go.ts';
import { javaSnippet } from './java.ts';
import { pythonSnippet } from './python.ts';
import { typescriptSnippet } from './typescript.ts';

export const LANGUAGES = ['curl', 'typescript', 'python', 'go', 'java'] as const;
export type Language = (typeof LANGUAGES)[number];

const FOR_EVERY_PROOF = { curl: curlSnippet, typescript: typescriptSnippet } as const;
const FOR_SECRETS = { python: pythonSnippet, go: goSnippet, java: javaSnippet } as const;

/**
 * The languages in which a call with this proof is printed. In CBOR there is room for a secret, and a certificate needs none; assertions have
 * no number (RFC 9200 §5.8.5).
 */
export function languagesFor(by: Call['proof']['by'], isDevice = false): readonly Language[] {
  if (isDevice) return by === 'secret' ? ['curl', 'typescript'] : by === 'certificate' ? ['curl'] : [];
  return by === 'secret' ? LANGUAGES : LANGUAGES.filter((language) => language in FOR_EVERY_PROOF);
}

/** The same call in each language asked for, and that there is for its proof. */
export function snippetsOf(call: Call, languages: readonly Language[]): readonly Snippet[] {
  return languages.flatMap((language) => {
    if (call.isDevice === true) return deviceSnippet(call, language);
    if (language === 'curl' || language === 'typescript') return FOR_EVERY_PROOF[language](call);
    return isBySecret(call) ? FOR_SECRETS[language](call) : [];
  });
}

function deviceSnippet(call: Call, language: Language): Snippet | [] {
  if (language === 'curl') return deviceCurlSnippet(call);
  return language === 'typescript' && isBySecret(call) ? deviceScriptSnippet(call) : [];
}

function isBySecret(call: Call): call is SecretCall {
  return call.proof.by === 'secret';
}
