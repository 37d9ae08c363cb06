// Microphone samples to PCM16 frames of 40 ms, with their level. `fold` samples are averaged into one.
class Capture extends AudioWorkletProcessor {
  #fold;
  #length;
  #frame;
  #filled = 0;
  #energy = 0;
  #sum = 0;
  #summed = 0;

  constructor({ processorOptions: { fold } }) {
    super();
    this.#fold = fold;
    this.#length = Math.round((sampleRate / fold) * 0.04);
    this.#frame = new Int16Array(this.#length);
  }

  process([input]) {
    const channels = input.length;
    if (!channels) return true;
    for (let at = 0; at < input[0].length; at += 1) {
      for (const channel of input) this.#sum += channel[at];
      this.#summed += 1;
      if (this.#summed === this.#fold) this.#take(this.#sum / channels / this.#fold);
    }
    return true;
  }

  #take(value) {
    const sample = Math.max(-1, Math.min(1, value));
    this.#sum = 0;
    this.#summed = 0;
    this.#frame[this.#filled++] = Math.round(sample * 32767);
    this.#energy += sample * sample;
    if (this.#filled < this.#length) return;
    const samples = this.#frame.buffer;
    this.port.postMessage({ samples, level: Math.sqrt(this.#energy / this.#length) }, [samples]);
    this.#frame = new Int16Array(this.#length);
    this.#filled = 0;
    this.#energy = 0;
  }
}
registerProcessor("capture", Capture);
