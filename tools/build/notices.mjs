// Who wrote what is in a bundle, and under which licence: the texts go where the code goes.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const TEXT_OF_LICENCE = /^(?:licen[cs]e|copying|notice)(?:[.-]|$)/i;

/**
 * The packages of which something is in what was written, each with the text of its licence.
 * @param {string} root @param {Pick<import('esbuild').Metafile, 'outputs'>} metafile
 * @returns {string} throws where a package brings no text and its licence is not one of those that are known here
 */
export function thirdPartyNotices(root, metafile) {
  const folders = new Set(
    Object.values(metafile.outputs).flatMap(({ inputs }) =>
      Object.entries(inputs).flatMap(([path, { bytesInOutput }]) => {
        const folder = packageOf(path);
        return folder === undefined || bytesInOutput === 0 ? [] : [folder];
      }),
    ),
  );
  const notices = [...folders].map((folder) => noticeOf(root, folder)).sort();
  return ['Code of these packages is in the files beside this one.\n', ...new Set(notices)].join(
    `\n${'='.repeat(80)}\n\n`,
  );
}

/** @param {string} path @returns {string | undefined} folder of the package that a file came with */
function packageOf(path) {
  return /^.*\bnode_modules\/(?:@[^/]+\/)?[^/]+/.exec(path)?.[0];
}

/** @param {string} root @param {string} folder */
function noticeOf(root, folder) {
  const manifest = JSON.parse(readFileSync(join(root, folder, 'package.json'), 'utf8'));
  const texts = readdirSync(join(root, folder))
    .filter((file) => TEXT_OF_LICENCE.test(file))
    .sort()
    .map((file) => readFileSync(join(root, folder, file), 'utf8').trim());
  if (texts.length === 0) texts.push(registeredText(folder, manifest));
  return `${manifest.name} ${manifest.version} (${manifest.license})\n\n${texts.join('\n\n')}\n`;
}

/** Of packages that name a licence and bring no text of it. */
const REGISTERED = {
  MIT: new URL('./licences/MIT.txt', import.meta.url),
  'Apache-2.0': new URL('../../LICENSE', import.meta.url),
};

/** @param {string} folder @param {{license?: string, author?: string | {name?: string}}} manifest */
function registeredText(folder, { license, author }) {
  const text = Object.entries(REGISTERED).find(([name]) => name === license)?.[1];
  if (text === undefined) throw new Error(`${folder} brings no text of its licence (${license})`);
  const holder = (typeof author === 'string' ? author : author?.name) ?? 'its authors';
  return `Copyright ${holder}\n\n${readFileSync(text, 'utf8').trim()}`;
}
