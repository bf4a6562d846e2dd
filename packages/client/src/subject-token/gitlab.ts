// The ID token of a GitLab job, which is a variable of its environment: RFC 7523 §2.1.
import type { SubjectTokenSource } from './source.ts';

/**
 * `variable` is the name under `id_tokens` of the job; its `aud` is the issuer of the authority. A job gets one token and the
 * authority takes it once: use one client, for one resource and scope, and ask for what lives as long as the job.
 */
export function gitlabToken(variable: string, env: NodeJS.ProcessEnv = process.env): SubjectTokenSource {
  return () => {
    const token = env[variable];
    if (token !== undefined && token !== '') return token;
    throw new Error(`${variable} is not set: name it under id_tokens of the job`);
  };
}
