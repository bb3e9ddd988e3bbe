package workshop.parcels;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import java.util.Collection;
import java.util.Optional;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.concurrent.atomic.AtomicLong;
import org.springframework.stereotype.Component;

/** Parcels in memory, counted; they are gone when the service stops. Safe for many requests at once. */
@Component
public class ParcelStore {

    private final ConcurrentSkipListMap<Long, Parcel> parcels = new ConcurrentSkipListMap<>();
    private final AtomicLong lastId = new AtomicLong();
    private final Counter accepted;

    public ParcelStore(MeterRegistry registry) {
        accepted = Counter.builder("parcels.accepted")
                .description("Parcels accepted since the service started")
                .register(registry);
        Gauge.builder("parcels.held", parcels, ConcurrentSkipListMap::size)
                .description("Parcels that the desk holds now")
                .register(registry);
    }

    public Parcel add(String recipient, String postcode, int weight) {
        Parcel parcel = new Parcel(lastId.incrementAndGet(), recipient, postcode, weight);
        parcels.put(parcel.id(), parcel);
        accepted.increment();
        return parcel;
    }

    public Optional<Parcel> find(long id) {
        return Optional.ofNullable(parcels.get(id));
    }

    public Collection<Parcel> all() {
        return parcels.values();
    }
}
