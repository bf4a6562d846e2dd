// What is wrong with a command line, said as all other errors are: what it is, and how to mend it.
import { type ArgumentScannerError, formatMessageForArgumentScannerError } from '@stricli/core';
import { nearNames } from './near-name.ts';

export interface ArgumentFault {
  readonly message: string;
  readonly fix: string | undefined;
}

export function argumentFault(error: ArgumentScannerError): ArgumentFault {
  let fix: string | undefined;
  const message = formatMessageForArgumentScannerError(error, {
    FlagNotFoundError({ input, corrections }) {
      const name = input.replace(/=.*$/s, '');
      fix = FLAG_FIX[name.replace(/^-+/, '')] ?? didYouMean(corrections.map(flagName));
      return `there is no flag ${flagName(name)}`;
    },
    AliasNotFoundError: ({ input }) => `there is no flag -${input}`,
    ArgumentParseError({ externalFlagNameOrPlaceholder: name, input, exception }) {
      fix = exception instanceof Error ? exception.message : String(exception);
      return `${argumentName(name)} cannot be ${JSON.stringify(input)}`;
    },
    EnumValidationError({ externalFlagName, input, values }) {
      const near = nearNames(input, values);
      fix = near.length > 0 ? didYouMean(near) : `write one of ${values.join(', ')}`;
      return `${flagName(externalFlagName)} cannot be ${JSON.stringify(input)}`;
    },
    UnsatisfiedFlagError({ externalFlagName, nextFlagName }) {
      const follows = nextFlagName === undefined ? '' : `, and ${flagName(nextFlagName)} follows`;
      return `${flagName(externalFlagName)} is needed, with its value${follows}`;
    },
    UnexpectedFlagError: ({ externalFlagName }) => `${flagName(externalFlagName)} is there twice`,
    UnexpectedPositionalError({ input }) {
      fix = /\.ya?ml$/.test(input)
        ? `name a file with its flag, such as -f ${input}; --help shows which`
        : 'put a text of several words into quotes; --help shows what may stand here';
      return `${JSON.stringify(input)} is one word too many`;
    },
    UnsatisfiedPositionalError: ({ placeholder }) => `${placeholder} is missing`,
  });
  return { message, fix };
}

/** Secrets and tokens have no flag: every user of a machine can read the command lines of all others. Forms have one for all. */
const FLAG_FIX: Readonly<Record<string, string>> = {
  json: 'Say it with -o json',
  yaml: 'Say it with -o yaml',
  'client-secret': 'No flag takes a secret. Name its file: --client-secret-file FILE (- for stdin)',
  secret: 'No flag takes a secret. Name its file: --client-secret-file FILE (- for stdin)',
  token: 'No flag takes a token. Pipe it in, or name its file: --token-file FILE',
};

export function didYouMean(names: readonly string[]): string | undefined {
  return names.length === 0 ? undefined : `did you mean ${names.join(' or ')}?`;
}

/** Placeholders of arguments are in capitals, flags as the code names them. */
function argumentName(name: string): string {
  return name === name.toUpperCase() ? name : flagName(name);
}

function flagName(name: string): string {
  return `--${name.replace(/^-+/, '').replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}
