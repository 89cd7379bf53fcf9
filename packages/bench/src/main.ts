console.log("@kv: the benchmarks are not written yet");
