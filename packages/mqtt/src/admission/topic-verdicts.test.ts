import { expect, it } from 'vitest';
import { Rights } from '../topics/rights.ts';
import { LONGEST_REMEMBERED, TopicVerdicts } from './topic-verdicts.ts';

it('long topics are judged each time, and take no room', () => {
  const rights = new Rights(['mqtt.pub:plant/#'], 'sensor-1');
  let judged = 0;
  const verdicts = new TopicVerdicts((topic) => {
    judged++;
    return rights.toPublish(topic);
  });
  const long = `plant/${'x'.repeat(LONGEST_REMEMBERED)}`;
  const short = 'plant/x';
  for (const topic of [short, short, long, long]) expect(verdicts.of(topic)?.scope).toBe('mqtt.pub:plant/#');
  expect(judged).toBe(3);
});
