// Headers by which frameworks let a caller ask for another method or path than the one that rules were applied to.
import type { EdgeReason } from './refusal.ts';
import { headerValues, plainName } from './edge-request.ts';

const METHOD = ['x-http-method-override', 'x-http-method', 'x-method-override'];
/** The last three cut their value off the path, in gunicorn and what is copied from one program of Flask to the next. */
const PATH = ['x-original-url', 'x-rewrite-url', 'script-name', 'path-info', 'x-script-name'];

/** What such a header would change; undefined where there is none that does. */
export function overrideOf(rawHeaders: readonly string[], method: string): EdgeReason | undefined {
  const spelled = rawHeaders.map((text, i) => (i % 2 === 0 ? plainName(text) : text));
  const asked = METHOD.flatMap((name) => headerValues(spelled, name));
  if (asked.some((value) => value.trim() !== method)) return 'method_override';
  return PATH.some((name) => headerValues(spelled, name).length > 0) ? 'path_override' : undefined;
}
