/**
 * Cancellation as core sees it: the part of `AbortSignal` that it needs, so that core depends on no platform library.
 * Every `AbortSignal` is one.
 */
export interface CancelSignal {
  readonly aborted: boolean;
  addEventListener(type: 'abort', listener: () => void, options?: { once?: boolean }): void;
  removeEventListener(type: 'abort', listener: () => void): void;
}
