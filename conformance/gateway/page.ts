import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const GUIDE = fileURLToPath(new URL('../../docs/guide/', import.meta.url));

/** The one configuration of that language on a page of the guide, with its addresses replaced by those of here. */
export function configOf(page: string, language: string, here: Readonly<Record<string, string>>): string {
  const blocks = configsOf(page, language);
  const [block] = blocks;
  if (block === undefined || blocks.length > 1)
    throw new Error(`${page} has ${blocks.length} blocks of ${language}`);
  return Object.entries(here).reduce((config, [there, address]) => {
    if (!config.includes(there)) throw new Error(`${page} does not name ${there}`);
    return config.replaceAll(there, address);
  }, block);
}

/** All configurations of that language on a page, in order. */
export function configsOf(page: string, language: string): readonly string[] {
  const text = readFileSync(`${GUIDE}${page}`, 'utf8');
  const blocks = [...text.matchAll(/^```(\w*)\n([\s\S]*?)^```$/gm)];
  return blocks.filter(([, name]) => name === language).map(([, , block = '']) => block);
}
