import { workerData } from 'node:worker_threads';
import { pooledRandom } from '../ids.ts';
import { makeCertificate } from './development-ca.ts';

/**
 * Makes the development CA beside the main thread, which loads the rest of the authority meanwhile: the certificate
 * library alone takes a quarter of the time that a first start may take.
 */
const { directory, now } = workerData as { readonly directory: string; readonly now: number };
await makeCertificate(directory, now, pooledRandom());
