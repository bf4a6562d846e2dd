/** What kind of client calls, by its `User-Agent`: enough to find its owner, and few enough to count. */
export const CLIENT_AGENTS = [
  'countersign',
  'curl',
  'dotnet',
  'go',
  'java',
  'node',
  'php',
  'postman',
  'python',
  'ruby',
  'rust',
  'browser',
  'other',
  'none',
] as const;
export type ClientAgent = (typeof CLIENT_AGENTS)[number];

/** In the order in which they are tried: who has several of these words is what it says first. */
const WORDS: readonly (readonly [RegExp, ClientAgent])[] = [
  [/countersign/, 'countersign'],
  [/^curl|^wget|httpie/, 'curl'],
  [/postman|insomnia/, 'postman'],
  [/python|aiohttp|httpx|urllib/, 'python'],
  [/go-http-client|^go[/ ]/, 'go'],
  [/java|okhttp|apache-httpclient|jersey|reactornetty|spring/, 'java'],
  [/node|undici|axios|^got\b|deno|bun\//, 'node'],
  [/\.net|dotnet|restsharp/, 'dotnet'],
  [/ruby|faraday/, 'ruby'],
  [/php|guzzle/, 'php'],
  [/reqwest|hyper|rust/, 'rust'],
  [/mozilla/, 'browser'],
];

/** Longer ones are cut: what kind it is stands at the beginning. */
const MOST_CHARS = 200;

export function clientAgent(userAgent: string | undefined): ClientAgent {
  if (userAgent === undefined || userAgent.trim() === '') return 'none';
  const text = userAgent.slice(0, MOST_CHARS).toLowerCase();
  return WORDS.find(([word]) => word.test(text))?.[1] ?? 'other';
}
