// A verifier whose options stand in a settings file: what is wrong with one of them is a fault of its line.
import {
  createVerifier,
  type Verifier,
  VerifierOptionError,
  type VerifierOptions,
} from '@countersign/resource-server';
import type { YamlValue } from './settings-file/yaml-reader.ts';

export interface OptionsInFile {
  /** What they are members of. */
  readonly whole: YamlValue;
  /** By the name that the verifier has for them. */
  readonly members: { readonly [option: string]: YamlValue | undefined };
}

/** Nothing is fetched. @throws ConfigFault */
export function createConfiguredVerifier(
  options: VerifierOptions,
  { whole, members }: OptionsInFile,
): Verifier {
  try {
    return createVerifier(options);
  } catch (error) {
    if (!(error instanceof VerifierOptionError)) throw error;
    const { option, message } = error;
    const value = members[option];
    throw value === undefined ? whole.fault(message) : value.fault(message.slice(`${option}: `.length));
  }
}
