/** @file Where the time goes: every kernel of the active backend, its calls and its own milliseconds. */
import * as tf from "@tensorflow/tfjs";

/** One kernel over a stretch of time. */
export interface KernelTime {
  readonly kernel: string;
  readonly calls: number;
  /** Time inside the kernel, without kernels that it called in turn. */
  readonly milliseconds: number;
}

export interface Profiler {
  /** What was measured since the last call, the costliest first. */
  take(): KernelTime[];
}

/**
 * Puts a clock around every kernel of the active backend, for the rest of the process. It costs about a microsecond a call.
 * On engines that compute elsewhere (a GPU) it measures the time to hand work over.
 */
export function startProfiler(): Profiler {
  const times = new Map<string, { calls: number; milliseconds: number }>();
  const inner: number[] = []; // time of nested kernels, one entry a kernel under way
  const clocked =
    (config: tf.KernelConfig): tf.KernelFunc =>
    (params) => {
      const start = performance.now();
      inner.push(0);
      try {
        return config.kernelFunc(params);
      } finally {
        const whole = performance.now() - start;
        add(times, config.kernelName, whole - inner.pop()!);
        if (inner.length) inner[inner.length - 1]! += whole;
      }
    };
  const backendName = tf.getBackend();
  for (const config of tf.getKernelsForBackend(backendName)) {
    tf.unregisterKernel(config.kernelName, backendName);
    tf.registerKernel({ ...config, kernelFunc: clocked(config) });
  }
  return {
    take: () => {
      const taken = [...times].map(([kernel, time]) => ({ kernel, ...time }));
      times.clear();
      return taken.sort((a, b) => b.milliseconds - a.milliseconds);
    },
  };
}

function add(times: Map<string, { calls: number; milliseconds: number }>, kernel: string, milliseconds: number): void {
  const time = times.get(kernel) ?? { calls: 0, milliseconds: 0 };
  time.calls++;
  time.milliseconds += milliseconds;
  times.set(kernel, time);
}
