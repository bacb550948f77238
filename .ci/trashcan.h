/* Nodes are not tracked by Python's cyclic garbage collector. Python's own guard against deep deallocation, which mypyc
   uses, needs what only tracked objects have (a header before the object): of others it overwrites foreign memory. This
   takes its place: of a chain of objects that are freed by one another, at most DEEP are on the C stack; the others wait
   in a list that is threaded through their reference counts, which nobody else reads any more. */
#ifndef MICROGRAD_BP_TRASHCAN
#define MICROGRAD_BP_TRASHCAN

#include <Python.h>

#ifdef Py_GIL_DISABLED
#error "built for Python with its global lock"
#endif
#ifdef _MSC_VER
#define PER_THREAD static __declspec(thread)
#else
#define PER_THREAD static __thread
#endif

enum { DEEP = 50 };
PER_THREAD int trashcan_depth = 0;
PER_THREAD PyObject *trashcan_waiting = NULL;

static inline int trashcan_defers(PyObject *object, destructor dealloc) {
    if (trashcan_depth < DEEP || Py_TYPE(object)->tp_dealloc != dealloc) { /* a subclass has begun it: go through */
        trashcan_depth++;
        return 0;
    }
    object->ob_refcnt = (Py_ssize_t)trashcan_waiting;
    trashcan_waiting = object;
    return 1;
}

static inline void trashcan_ends(void) {
    while (trashcan_depth == 1 && trashcan_waiting != NULL) {
        PyObject *object = trashcan_waiting;
        trashcan_waiting = (PyObject *)object->ob_refcnt;
        object->ob_refcnt = 0;
        Py_TYPE(object)->tp_dealloc(object);
    }
    trashcan_depth--;
}

#undef Py_TRASHCAN_BEGIN
#undef Py_TRASHCAN_END
#define Py_TRASHCAN_BEGIN(object, dealloc) \
    if (!trashcan_defers((PyObject *)(object), (destructor)(dealloc))) {
#define Py_TRASHCAN_END \
        trashcan_ends(); \
    }

#endif
