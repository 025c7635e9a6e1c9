/** What is remembered of a removed host, so that a later life of it never repeats an epoch. */
export interface RemovedHost {
  readonly epoch: number;
  /** Of the record that removed it. */
  readonly ordinal: number;
  /** It was down for too long; nobody asked for its removal. */
  readonly isExpired: boolean;
}
