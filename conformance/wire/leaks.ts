import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';

/** The forms in which a secret may lie in a file: as it is, and as careless code would have stored it. */
export function disguises(secret: string): Buffer[] {
  const plain = Buffer.from(secret);
  // base64 depends on where the text starts within a group of three: cut the edges that the neighbours decide
  const shifted = [0, 1, 2].map((shift) => {
    const text = Buffer.concat([Buffer.alloc(shift, 0x20), plain])
      .toString('base64')
      .replace(/=+$/, '');
    return Buffer.from(text.slice(shift === 0 ? 0 : 4, text.length - 3));
  });
  return [
    plain,
    Buffer.from(plain.toString('hex')),
    Buffer.from(secret, 'utf16le'),
    Buffer.from(plain).reverse(),
    ...shifted.filter((text) => text.length >= 12),
  ];
}

/** Every regular file below the given paths. */
export function filesBelow(paths: readonly string[]): string[] {
  const files: string[] = [];
  for (const path of paths) {
    const stat = statSync(path);
    if (stat.isDirectory()) files.push(...filesBelow(readdirSync(path).map((name) => join(path, name))));
    else if (stat.isFile()) files.push(path);
  }
  return files;
}

/** A file whose purpose is to keep one secret for its owner, such as that of the development admin. */
function keepsSecret(file: string): boolean {
  return file.endsWith('.secret') && (statSync(file).mode & 0o077) === 0;
}

/** Says where any of the secrets lies in clear: `file (secret's first letters…)`, and nothing that repeats the secret. */
export function findSecrets(secrets: readonly string[], paths: readonly string[]): string[] {
  const found: string[] = [];
  for (const file of filesBelow(paths).filter((each) => !keepsSecret(each))) {
    const bytes = readFileSync(file);
    for (const secret of secrets)
      if (disguises(secret).some((form) => bytes.includes(form)))
        found.push(`${file} (${secret.slice(0, 8)}…)`);
  }
  return found;
}
