import type { Call, Snippet } from './call.ts';
import { curlSnippet } from './curl.ts';
import { goSnippet } from './go.ts';
import { javaSnippet } from './java.ts';
import { pythonSnippet } from './python.ts';
import { typescriptSnippet } from './typescript.ts';

export const LANGUAGES = ['curl', 'typescript', 'python', 'go', 'java'] as const;
export type Language = (typeof LANGUAGES)[number];

const MAKERS: Readonly<Record<Language, (call: Call) => Snippet>> = {
  curl: curlSnippet,
  typescript: typescriptSnippet,
  python: pythonSnippet,
  go: goSnippet,
  java: javaSnippet,
};

/** The same call in each language asked for. */
export function snippetsOf(call: Call, languages: readonly Language[]): readonly Snippet[] {
  return languages.map((language) => MAKERS[language](call));
}
