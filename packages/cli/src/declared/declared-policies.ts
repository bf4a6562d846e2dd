import { usageError } from '../failure.ts';
import type { Host } from '../host.ts';
import { contractFields } from '../noun/contract-fields.ts';
import { faultsOf, type Issue } from './document-faults.ts';
import { readDeclared } from './read-documents.ts';
import type { DocumentInput } from '@countersign/admin-api';

export type PolicyDocument = Extract<DocumentInput, { readonly kind: 'Policy' }>;

/** The documents of kind Policy in these files; others in them are passed over. Never none. */
export async function readDeclaredPolicies(
  host: Pick<Host, 'cwd' | 'stdin'>,
  files: readonly string[],
): Promise<readonly PolicyDocument[]> {
  const { document } = await import('@countersign/admin-api');
  const declared = (await readDeclared(host, files)).filter(({ object }) => object['kind'] === 'Policy');
  if (declared.length === 0) throw usageError(`There is no document of kind Policy in ${files.join(' ')}.`);
  const faults = declared.flatMap(({ object, locate }) => {
    const result = document.safeParse(object);
    if (result.success) return [];
    return faultsOf(object, result.error.issues as readonly Issue[], contractFields(document)).map(
      ({ path, said }) => `${locate(path)}: ${said}`,
    );
  });
  if (faults.length > 0) throw usageError(faults.join('\n'));
  return declared.map(({ object }) => object as unknown as PolicyDocument);
}
