/** For the peers of a panel, in their order. */
export const PEER_CLASSES: readonly string[] = ["peer-a", "peer-b", "peer-c", "peer-d", "peer-e"];

/** Colours with enough contrast on white and, by the reader's own setting, on black; told apart by most colour-blind eyes. */
export const chartStyle: string = `text { font: 13px system-ui, -apple-system, "Segoe UI", "DejaVu Sans", sans-serif; fill: #1f2328; }
.title { font-size: 18px; font-weight: 600; }
.subtitle, .tick { font-size: 12px; fill: #59636e; }
.rate { fill: #0b57d0; font-weight: 600; }
.paper { fill: #ffffff; stroke: #d1d9e0; }
.grid { stroke: #e4e8ec; }
.one { stroke: #8c959f; stroke-dasharray: 3 3; }
.target { stroke: #1a7f37; stroke-width: 2.5; }
.lead { stroke: #0b57d0; stroke-width: 4; stroke-opacity: 0.22; }
.ours { fill: #0b57d0; }
.baseline { fill: #59636e; }
.peer-a { fill: #d1690e; }
.peer-b { fill: #8250df; }
.peer-c { fill: #b8336a; }
.peer-d { fill: #0f8a8a; }
.peer-e { fill: #9a6700; }
@media (prefers-color-scheme: dark) {
  text { fill: #e6edf3; }
  .subtitle, .tick { fill: #9198a1; }
  .rate { fill: #79b8ff; }
  .paper { fill: #0d1117; stroke: #3d444d; }
  .grid { stroke: #21262d; }
  .one { stroke: #6e7681; }
  .target { stroke: #3fb950; }
  .lead { stroke: #58a6ff; stroke-opacity: 0.3; }
  .ours { fill: #58a6ff; }
  .baseline { fill: #9198a1; }
  .peer-a { fill: #f0883e; }
  .peer-b { fill: #bc8cff; }
  .peer-c { fill: #f778ba; }
  .peer-d { fill: #39c5bb; }
  .peer-e { fill: #d4a72c; }
}`;
