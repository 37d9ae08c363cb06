// Microphone samples to PCM16 frames of 40 ms, with their level.
const FRAME = Math.round(sampleRate * 0.04);

class Capture extends AudioWorkletProcessor {
  #frame = new Int16Array(FRAME);
  #filled = 0;
  #energy = 0;

  process([input]) {
    const channels = input.length;
    if (!channels) return true;
    for (let at = 0; at < input[0].length; at += 1) {
      let sample = 0;
      for (const channel of input) sample += channel[at];
      sample = Math.max(-1, Math.min(1, sample / channels));
      this.#frame[this.#filled++] = Math.round(sample * 32767);
      this.#energy += sample * sample;
      if (this.#filled === FRAME) {
        const level = Math.sqrt(this.#energy / this.#filled);
        const samples = this.#frame.buffer;
        this.port.postMessage({ samples, level }, [samples]);
        this.#frame = new Int16Array(FRAME);
        this.#filled = 0;
        this.#energy = 0;
      }
    }
    return true;
  }
}
registerProcessor("capture", Capture);
