import type { Adapter, Middleware } from "../../contract/adapter.ts";
import { isError } from "../../contract/any-realm.ts";
import { monotonicNow } from "../../runtime/platform.ts";

import { codeOf } from "../parts/failure-code.ts";
import { checkedOptions, invalidOption } from "../parts/middleware-options.ts";
import { type AdapterCall, observed } from "./observation.ts";
import {
  type HistogramLike,
  type MeterLike,
  SPAN_KIND_CLIENT,
  type SpanAttributes,
  STATUS_ERROR,
  type TracerLike,
} from "./opentelemetry.ts";

export interface TracingOptions {
  /** A `Tracer` of `@opentelemetry/api`: a span for every call of the adapter. Default: no spans. */
  readonly tracer?: TracerLike | undefined;
  /** A `Meter` of `@opentelemetry/api`: the histogram `db.client.operation.duration`, in seconds. Default: none. */
  readonly meter?: MeterLike | undefined;
}

/** The buckets that OpenTelemetry's semantic conventions advise for this metric, in seconds. */
const BOUNDARIES = [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10];

/**
 * Records spans and durations by OpenTelemetry's semantic conventions for databases. A span is named after operation
 * and backend (`read redis`) and has `db.system.name`, `db.operation.name`, `db.namespace` (unless it is the root),
 * `db.operation.batch.size` (from two on) and, if it failed, `error.type`: the error's code. It holds no keys, no
 * values and no driver's message. The store batches the operations of one tick into one call, whose span belongs to the
 * context of the first caller.
 * @throws KvError `KV_INVALID_OPTION`
 */
export function tracing(options: TracingOptions): Middleware {
  const { tracer, meter } = checkedOptions("tracing", ["tracer", "meter"], options, (given) => {
    if (given.tracer !== undefined && typeof given.tracer?.startSpan !== "function") {
      invalidOption("tracer must be a Tracer of @opentelemetry/api");
    }
    if (given.meter !== undefined && typeof given.meter?.createHistogram !== "function") {
      invalidOption("meter must be a Meter of @opentelemetry/api");
    }
    if (given.tracer === undefined && given.meter === undefined) {
      invalidOption("tracing() needs a tracer, a meter, or both");
    }
    return given;
  });
  const histogram = meter?.createHistogram("db.client.operation.duration", {
    unit: "s",
    description: "Duration of database client operations.",
    advice: { explicitBucketBoundaries: BOUNDARIES },
  });
  return (inner) => traced(inner, tracer, histogram);
}

function traced(
  inner: Adapter,
  tracer: TracerLike | undefined,
  histogram: HistogramLike | undefined,
): Adapter {
  return observed(inner, (call) => {
    const attributes = attributesOf(inner, call);
    // The backend, not the namespace, is the target: namespaces may be as many as there are users.
    const span = tracer?.startSpan(`${call.operation} ${inner.name}`, {
      kind: SPAN_KIND_CLIENT,
      attributes: { ...attributes, ...detailsOf(call) },
    });
    const start = monotonicNow();
    return (failure) => {
      const seconds = (monotonicNow() - start) / 1e3;
      if (failure === undefined) histogram?.record(seconds, attributes);
      else {
        const code = codeOf(inner, failure.error);
        histogram?.record(seconds, { ...attributes, "error.type": code });
        span?.setAttribute("error.type", code);
        // Drivers quote addresses, keys and values in their messages.
        const name = isError(failure.error) ? failure.error.name : "Error";
        span?.recordException({ name, code });
        span?.setStatus({ code: STATUS_ERROR, message: code });
      }
      span?.end();
    };
  });
}

/** Attributes of spans and of the metric, which have few different values. */
function attributesOf(inner: Adapter, { operation }: AdapterCall): SpanAttributes {
  return { "db.system.name": inner.name, "db.operation.name": operation };
}

/** Attributes of spans only. */
function detailsOf({ namespace, items }: AdapterCall): SpanAttributes {
  return {
    ...(namespace === undefined || namespace.id === "" ? undefined : { "db.namespace": namespace.id }),
    ...(items === undefined || items < 2 ? undefined : { "db.operation.batch.size": items }),
  };
}
