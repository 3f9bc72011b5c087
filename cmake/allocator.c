// What jemalloc is told when a program begins; MALLOC_CONF overrides it (docs/adr/0013).
//
// dirty_decay_ms: how long freed pages are kept. Of the default, 10 s, a hub that folds at full speed
// keeps about 100 MB that nobody uses.
// percpu_arena: memory is kept apart by core instead of four times as often. What some twenty threads hand
// each other comes back to fewer places, and less of it lies idle.
const char* malloc_conf = "percpu_arena:percpu,dirty_decay_ms:500,muzzy_decay_ms:0";
