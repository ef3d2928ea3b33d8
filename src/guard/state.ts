import { z } from 'zod';
import { createFileStore, part, type StateStore } from '../state/store.js';
import { chainSchema, emptyChain, type Chain } from './chain.js';
import { countersSchema, noCounters, type Counters } from './counters.js';

/** A part that an earlier version did not know begins empty. */
const stateSchema = z.object({
  limits: countersSchema.default(noCounters),
  audit: chainSchema.default(emptyChain),
});

/** What the guard keeps and shares with the other processes of its state directory. */
export interface GuardState {
  limits: StateStore<Counters>;
  audit: StateStore<Chain>;
}

export function openState(directory: string): GuardState {
  const store = createFileStore(directory, stateSchema, stateSchema.parse({}));
  return { limits: part(store, 'limits'), audit: part(store, 'audit') };
}
