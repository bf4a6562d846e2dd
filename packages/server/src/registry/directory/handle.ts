/** Handles and names of teams are the same when they differ in the case of ASCII letters only, as in the database. */
export function sameHandle(left: string, right: string): boolean {
  return handleKey(left) === handleKey(right);
}

/** What two handles have in common that are the same. */
export function handleKey(handle: string): string {
  return handle.replace(/[A-Z]+/g, (letters) => letters.toLowerCase());
}
