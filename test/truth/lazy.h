// The list that lazy_calls.c and lazy_callees.c expand with their own CALLEE(name). No guard: included twice.
#define LAZY_FOUR(n) CALLEE(n##0) CALLEE(n##1) CALLEE(n##2) CALLEE(n##3)
#define LAZY_SIXTEEN(n) LAZY_FOUR(n##0) LAZY_FOUR(n##1) LAZY_FOUR(n##2) LAZY_FOUR(n##3)
#define LAZY_64(n) LAZY_SIXTEEN(n##0) LAZY_SIXTEEN(n##1) LAZY_SIXTEEN(n##2) LAZY_SIXTEEN(n##3)
LAZY_64(a)
LAZY_64(b)
LAZY_64(c)
LAZY_64(d)
#undef LAZY_FOUR
#undef LAZY_SIXTEEN
#undef LAZY_64
