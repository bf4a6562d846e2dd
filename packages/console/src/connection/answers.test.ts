import { expect, test } from 'vitest';
import { createAnswers } from './answers.ts';

const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

function scene() {
  let now = 1_000_000;
  let asked = 0;
  const answers = createAnswers(() => now);
  const ask = (anew?: boolean): void => answers.ask('k', () => Promise.resolve(++asked), anew);
  return { answers, ask, pass: (ms: number) => (now += ms), asked: () => asked };
}

test('what was just answered is not asked again; what is older is, and stays in sight meanwhile', async () => {
  const { answers, ask, pass, asked } = scene();
  ask();
  ask();
  await settled();
  ask();
  expect([asked(), answers.read('k').data]).toEqual([1, 1]);
  pass(6000);
  ask();
  expect(answers.read('k')).toMatchObject({ data: 1, asking: true });
  await settled();
  expect(answers.read('k')).toMatchObject({ data: 2, asking: false });
});

test('after a change everything is asked again, also what was answered while it was made', async () => {
  const { answers, ask, asked } = scene();
  ask();
  answers.changed();
  await settled();
  ask();
  await settled();
  expect(asked()).toBe(2);
});

test('a question that failed says so, keeps what was known, and is asked again', async () => {
  const { answers, ask } = scene();
  ask();
  await settled();
  answers.ask('k', () => Promise.reject(new Error('away')), true);
  await settled();
  expect(answers.read('k')).toMatchObject({ data: 1, error: new Error('away') });
  ask();
  await settled();
  expect(answers.read('k')).toMatchObject({ data: 2, error: undefined });
});
