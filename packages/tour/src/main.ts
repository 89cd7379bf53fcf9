console.log("@kv: the tour is not written yet");
