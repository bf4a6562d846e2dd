import type { DocumentInput } from '@countersign/admin-api';
import { CommandFailure, usageError } from '../failure.ts';
import { failureOf } from '../exit-code.ts';
import type { Host } from '../host.ts';
import { contractFields } from '../noun/contract-fields.ts';
import { faultsOf, type Issue } from './document-faults.ts';
import { type Declared, readDeclared } from './read-documents.ts';
import { prepareSecrets } from './secret-files.ts';

/** What `plan` and `apply` send, and what they need to tell of it. */
export interface DeclaredRequest {
  readonly body: { readonly documents: DocumentInput[]; readonly prune: boolean };
  readonly awaited: ReadonlyMap<string, string>;
  /** An error of the API with the lines that it is about. */
  locateFailure(error: unknown): unknown;
}

/** Reads, resolves secrets, and checks against the contract, so that most mistakes are told with file and line. */
export async function readDeclaredRequest(
  host: Pick<Host, 'cwd' | 'stdin'>,
  files: readonly string[],
  prune: boolean,
): Promise<DeclaredRequest> {
  const declared = await readDeclared(host, files);
  if (declared.length === 0) throw usageError(`There is no document in ${files.join(' ')}.`);
  const { documents, awaited } = await prepareSecrets(host, declared);
  await checkDocuments(declared, documents);
  return {
    body: { documents: documents as DocumentInput[], prune },
    awaited,
    locateFailure: (error) => {
      const { problem } = error as ProblemShape;
      return located(error, problem?.errors ?? [], declared);
    },
  };
}

async function checkDocuments(
  declared: readonly Declared[],
  documents: readonly Record<string, unknown>[],
): Promise<void> {
  const { document } = await import('@countersign/admin-api');
  const faults = documents.flatMap((item, index) => {
    const result = document.safeParse(item);
    if (result.success) return [];
    return faultsOf(item, result.error.issues as readonly Issue[], contractFields(document)).map(
      ({ path, said }) => `${declared[index]?.locate(path)}: ${said}`,
    );
  });
  if (faults.length > 0) throw usageError(faults.join('\n'));
}

interface PointedError {
  readonly pointer: string;
  readonly detail: string;
}

interface ProblemShape {
  readonly problem?: { readonly errors?: readonly PointedError[] };
}

/** What `dev` and `serve` say of the files of `--apply`, with their lines. */
export async function locateRefused(host: Pick<Host, 'cwd' | 'stdin'>, error: unknown): Promise<unknown> {
  if (!(error instanceof Error) || error.name !== 'DeclaredRefused') return error;
  const { files, errors } = error as Error & {
    readonly files: readonly string[];
    readonly errors: readonly PointedError[];
  };
  return located(error, errors, await readDeclared(host, files));
}

function located(error: unknown, errors: readonly PointedError[], declared: readonly Declared[]): unknown {
  const lines = errors.flatMap(({ pointer, detail }) => {
    const [, top, index, ...rest] = pointer.split('/');
    const item = top === 'documents' ? declared[Number(index)] : undefined;
    return item === undefined ? [] : [`${item.locate(rest)}: ${rest.join('.') || 'the document'}: ${detail}`];
  });
  if (lines.length === 0) return error;
  const failure = failureOf(error);
  return new CommandFailure(failure.kind, lines.join('\n'), { requestId: failure.requestId, cause: error });
}
