/* What a person who knows the machine writes by hand, for `python -m benchmarks.compiled`: the limit.
   gcc -O3 -march=native -ffast-math -shared -fPIC limit.c -lm -o limit.so */
#include <math.h>
#include <string.h>

static double sigmoid(double z) { return 1.0 / (1.0 + exp(-z)); }

/* The tutorial's XOR network 2-2-1 by (3.2) to (3.6), full batch; p = w11 w12 b1 w21 w22 b2 v1 v2 c. */
void xor_train(double *p, double rate, long epochs, double *costs)
{
    static const double X[4][2] = {{0, 0}, {0, 1}, {1, 0}, {1, 1}}, Y[4] = {0, 1, 1, 0};
    for (long epoch = 0; epoch < epochs; epoch++) {
        double g[9] = {0}, cost = 0;
        for (int i = 0; i < 4; i++) {
            double a = sigmoid(p[0] * X[i][0] + p[1] * X[i][1] + p[2]);
            double b = sigmoid(p[3] * X[i][0] + p[4] * X[i][1] + p[5]);
            double h = sigmoid(p[6] * a + p[7] * b + p[8]), e = h - Y[i];
            double d = e * h * (1 - h), da = d * p[6] * a * (1 - a), db = d * p[7] * b * (1 - b);
            cost += 0.5 * e * e;
            g[0] += da * X[i][0]; g[1] += da * X[i][1]; g[2] += da;
            g[3] += db * X[i][0]; g[4] += db * X[i][1]; g[5] += db;
            g[6] += d * a; g[7] += d * b; g[8] += d;
        }
        costs[epoch] = cost / 4;
        for (int k = 0; k < 9; k++) p[k] -= rate * g[k] / 4;
    }
}

/* An MLP 2-16-16-1 with tanh, squared error; w: a neuron's weights, then its bias. Value and gradient of one sample. */
double mlp_single(const double *w, const double *x, double y, double *g)
{
    const double *w1 = w, *w2 = w + 48, *w3 = w + 320;
    double *g1 = g, *g2 = g + 48, *g3 = g + 320, a[16], b[16], da[16] = {0}, z = w3[16];
    for (int j = 0; j < 16; j++) a[j] = tanh(w1[3 * j + 2] + w1[3 * j] * x[0] + w1[3 * j + 1] * x[1]);
    for (int j = 0; j < 16; j++) {
        double t = w2[17 * j + 16];
        for (int k = 0; k < 16; k++) t += w2[17 * j + k] * a[k];
        b[j] = tanh(t);
        z += w3[j] * b[j];
    }
    double e = z - y, d = 2 * e;
    g3[16] = d;
    for (int j = 0; j < 16; j++) {
        double dj = d * w3[j] * (1 - b[j] * b[j]);
        g3[j] = d * b[j];
        g2[17 * j + 16] = dj;
        for (int k = 0; k < 16; k++) { g2[17 * j + k] = dj * a[k]; da[k] += dj * w2[17 * j + k]; }
    }
    for (int k = 0; k < 16; k++) {
        double dk = da[k] * (1 - a[k] * a[k]);
        g1[3 * k] = dk * x[0]; g1[3 * k + 1] = dk * x[1]; g1[3 * k + 2] = dk;
    }
    return e * e;
}

void mlp_loop(const double *w, const double *x, double y, double *g, long times, double *value)
{
    for (long i = 0; i < times; i++) *value += mlp_single(w, x, y, g);
}

/* The same for many samples, its gradient summed: blocks of samples innermost, so that the compiler makes vectors. */
#define B 32
void mlp_batch(const double *w, const double *X, const double *Y, long count, double *g, double *values)
{
    const double *w1 = w, *w2 = w + 48, *w3 = w + 320;
    double *g1 = g, *g2 = g + 48, *g3 = g + 320;
    memset(g, 0, 337 * sizeof *g);
    for (long s = 0; s + B <= count; s += B) {
        double x0[B], x1[B], a[16][B], b[16][B], z[B], d[B], da[16][B], dj[B];
        for (int i = 0; i < B; i++) { x0[i] = X[2 * (s + i)]; x1[i] = X[2 * (s + i) + 1]; z[i] = w3[16]; }
        for (int j = 0; j < 16; j++)
            for (int i = 0; i < B; i++) a[j][i] = tanh(w1[3 * j + 2] + w1[3 * j] * x0[i] + w1[3 * j + 1] * x1[i]);
        for (int j = 0; j < 16; j++) {
            double t[B];
            for (int i = 0; i < B; i++) t[i] = w2[17 * j + 16];
            for (int k = 0; k < 16; k++)
                for (int i = 0; i < B; i++) t[i] += w2[17 * j + k] * a[k][i];
            for (int i = 0; i < B; i++) { b[j][i] = tanh(t[i]); z[i] += w3[j] * b[j][i]; }
        }
        double sum = 0;
        for (int i = 0; i < B; i++) { double e = z[i] - Y[s + i]; values[s + i] = e * e; d[i] = 2 * e; sum += d[i]; }
        g3[16] += sum;
        memset(da, 0, sizeof da);
        for (int j = 0; j < 16; j++) {
            double gj = 0, gb = 0;
            for (int i = 0; i < B; i++) {
                dj[i] = d[i] * w3[j] * (1 - b[j][i] * b[j][i]);
                gj += d[i] * b[j][i]; gb += dj[i];
            }
            g3[j] += gj; g2[17 * j + 16] += gb;
            for (int k = 0; k < 16; k++) {
                double gk = 0;
                for (int i = 0; i < B; i++) { gk += dj[i] * a[k][i]; da[k][i] += dj[i] * w2[17 * j + k]; }
                g2[17 * j + k] += gk;
            }
        }
        for (int k = 0; k < 16; k++) {
            double p = 0, q = 0, r = 0;
            for (int i = 0; i < B; i++) {
                double dk = da[k][i] * (1 - a[k][i] * a[k][i]);
                p += dk * x0[i]; q += dk * x1[i]; r += dk;
            }
            g1[3 * k] += p; g1[3 * k + 1] += q; g1[3 * k + 2] += r;
        }
    }
}

/* An MLP 64-256-256-10 with ReLU, squared error, sample by sample; w as above, g summed. */
static void layer(const double *w, const double *x, double *y, int n, int m)
{
    for (int j = 0; j < m; j++) {
        double t = w[(n + 1) * j + n];
        for (int k = 0; k < n; k++) t += w[(n + 1) * j + k] * x[k];
        y[j] = t;
    }
}

static void back(const double *w, const double *x, const double *dy, double *g, double *dx, int n, int m)
{
    for (int k = 0; k < n; k++) dx[k] = 0;
    for (int j = 0; j < m; j++) {
        for (int k = 0; k < n; k++) { g[(n + 1) * j + k] += dy[j] * x[k]; dx[k] += dy[j] * w[(n + 1) * j + k]; }
        g[(n + 1) * j + n] += dy[j];
    }
}

void large_batch(const double *w, const double *X, const double *Y, long count, double *g, double *values)
{
    const double *w1 = w, *w2 = w1 + 256 * 65, *w3 = w2 + 256 * 257;
    double *g1 = g, *g2 = g1 + 256 * 65, *g3 = g2 + 256 * 257;
    memset(g, 0, (256 * 65 + 256 * 257 + 10 * 257) * sizeof *g);
    for (long s = 0; s < count; s++) {
        double a[256], b[256], z[10], dz[10], db[256], da[256], dx[64];
        layer(w1, X + 64 * s, a, 64, 256);
        for (int j = 0; j < 256; j++) a[j] = a[j] > 0 ? a[j] : 0;
        layer(w2, a, b, 256, 256);
        for (int j = 0; j < 256; j++) b[j] = b[j] > 0 ? b[j] : 0;
        layer(w3, b, z, 256, 10);
        values[s] = 0;
        for (int j = 0; j < 10; j++) { double e = z[j] - Y[10 * s + j]; values[s] += e * e; dz[j] = 2 * e; }
        back(w3, b, dz, g3, db, 256, 10);
        for (int j = 0; j < 256; j++) db[j] = b[j] > 0 ? db[j] : 0;
        back(w2, a, db, g2, da, 256, 256);
        for (int j = 0; j < 256; j++) da[j] = a[j] > 0 ? da[j] : 0;
        back(w1, X + 64 * s, da, g1, dx, 64, 256);
    }
}
