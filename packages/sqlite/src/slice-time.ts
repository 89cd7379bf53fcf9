/** Milliseconds that a slice of background work may take: the event loop, and other writers, wait so long at most. */
export const SLICE_MS = 3;
