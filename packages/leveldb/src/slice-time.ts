/** Milliseconds that a slice of background work may take: the event loop waits so long at most. */
export const SLICE_MS = 2;
