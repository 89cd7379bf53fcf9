/**
 * The part of the OpenTelemetry API (`@opentelemetry/api`) that is used: its `Tracer` and `Meter` have these shapes,
 * and nothing here depends on the package.
 */

export type SpanAttributes = Record<string, string | number>;

export interface SpanLike {
  setAttribute(name: string, value: string | number): unknown;
  setStatus(status: { code: number; message?: string }): unknown;
  recordException(exception: { name: string; code: string }): void;
  end(): void;
}

export interface TracerLike {
  startSpan(name: string, options: { kind: typeof SPAN_KIND_CLIENT; attributes: SpanAttributes }): SpanLike;
}

export interface HistogramLike {
  record(value: number, attributes: SpanAttributes): void;
}

export interface MeterLike {
  createHistogram(
    name: string,
    options: { unit: string; description: string; advice: { explicitBucketBoundaries: number[] } },
  ): HistogramLike;
}

/** `SpanKind.CLIENT` */
export const SPAN_KIND_CLIENT = 2;
/** `SpanStatusCode.ERROR` */
export const STATUS_ERROR = 2;
