/** Why nobody is signed in: what happened, and what to do about it. */
export class SignInFailure extends Error {
  readonly fix: string;
  readonly requestId: string | undefined;
  constructor(message: string, fix: string, requestId?: string) {
    super(message);
    this.name = 'SignInFailure';
    this.fix = fix;
    this.requestId = requestId;
  }
}
