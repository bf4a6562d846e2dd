/**
 * `--scope` and `--scopes` are the same to people. Where a command has one of them, the other is taken for it.
 */
const OWN_SPELLING: Readonly<Record<string, 'scope' | 'scopes'>> = {
  connect: 'scopes',
  'token get': 'scope',
  'token verify': 'scope',
  'access create': 'scopes',
  'access update': 'scopes',
  'access list': 'scope',
};

/** The command line with that flag spelt as its command does. What follows `--` is left alone. */
export function respell(args: readonly string[]): readonly string[] {
  const own = OWN_SPELLING[args[0] ?? ''] ?? OWN_SPELLING[args.slice(0, 2).join(' ')];
  if (own === undefined) return args;
  const end = args.indexOf('--');
  return args.map((arg, index) =>
    end !== -1 && index > end ? arg : arg.replace(/^--scopes?(?==|$)/, `--${own}`),
  );
}
