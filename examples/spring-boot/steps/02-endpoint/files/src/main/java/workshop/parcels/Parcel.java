package workshop.parcels;

/** A parcel that the desk has accepted. Weight in grams. */
public record Parcel(long id, String recipient, String postcode, int weight) {}
