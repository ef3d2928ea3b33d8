/** A grant or an operator with its token. Either `tokenEnv` or `tokenFile` is set. */
export interface TokenHolder {
  name: string;
  tokenEnv?: string | undefined;
  tokenFile?: string | undefined;
}

/** A problem of keys that are each valid. */
export interface Conflict {
  path: (string | number)[];
  message: string;
}

interface Surroundings {
  what: 'grant' | 'operator';
  /** Those of the same list before it. */
  before: readonly TokenHolder[];
  /** Those of another list. */
  others: readonly TokenHolder[];
  secrets: readonly (string | { name: string })[];
}

/** How the name and the token of a holder conflict with those of others; paths start at the holder. */
export function tokenConflicts(
  { name, tokenEnv, tokenFile }: TokenHolder,
  { what, before, others, secrets }: Surroundings,
): Conflict[] {
  const isTaken = (others: readonly TokenHolder[]): boolean =>
    tokenEnv !== undefined && others.some((other) => other.tokenEnv === tokenEnv);
  const isSecret = secrets.some((secret) => (typeof secret === 'string' ? secret : secret.name) === tokenEnv);
  const problems: [key: string, isWrong: boolean, message: string][] = [
    ['name', before.some((other) => other.name === name), `another ${what} has this name`],
    [
      'tokenEnv',
      (tokenEnv === undefined) === (tokenFile === undefined),
      'expected either tokenEnv or tokenFile',
    ],
    ['tokenEnv', isTaken(before), `another ${what} has this token`],
    ['tokenEnv', isTaken(others), 'a grant has this token'],
    ['tokenEnv', isSecret, 'it is listed in `secrets`, whose values pages receive'],
  ];
  return problems.flatMap(([key, isWrong, message]) => (isWrong ? [{ path: [key], message }] : []));
}
